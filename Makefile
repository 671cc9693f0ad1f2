# make run    the whole loop on the embedded cohort, then where its report is
# make test   lint, then end-to-end runs, dry runs and unit tests, a file of tests on each core
# Both build the environment first if it is not there: .venv, from requirements.lock.

PYTHON3 ?= python3
CORES ?= $(shell nproc)
BIN := $(CURDIR)/.venv/bin
READY := .venv/.installed
export PATH := $(BIN):$(PATH)

.PHONY: run test lint format envs lock schema docs bench bench-evaluation bench-pseudo-label bench-windows bench-cpu bench-training bench-soft-targets bench-deploy bench-grids bench-upper-bound bench-check bench-live bench-segmentations bench-archive bench-full-size bench-report rehearsal gpu-check faults inputs study study-choice study-choice_painted study-clinic study-partial study-review clean

run: $(READY)
	snakemake --workflow-profile profiles/venv --cores $(CORES)
	@echo "The report: $(CURDIR)/results/report/report.html"

test: lint
	pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder tests/end_to_end tests/dry_run tests/unit

lint: $(READY)
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow benchmarks/study
	snakemake --lint --workflow-profile profiles/venv

format: $(READY)
	ruff check --fix .
	ruff format .
	snakefmt Snakefile workflow benchmarks/study

$(READY): requirements.lock
	@$(PYTHON3) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "Python 3.11 to 3.13 is needed; $(PYTHON3) is $$($(PYTHON3) -V 2>&1). Name another: make run PYTHON3=python3.11"; exit 1; }
	$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON3) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	touch $@

# What is generated from one source.
lock:
	rm -rf .venv && $(PYTHON3) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.in
	python envs/environments.py --lock > requirements.lock
	touch $(READY)
	$(MAKE) envs

envs: $(READY)
	python envs/environments.py

schema: $(READY)
	PYTHONPATH=workflow/scripts python -m noisy_student.configuration.experiment > config/config.schema.json

# The documentation as a site; nothing is loaded from elsewhere, neither now nor by its pages.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(READY)
	mkdocs build --strict --quiet
	@echo "The site: $(CURDIR)/site/index.html; its search needs a server: python -m http.server --directory site"

# Measurements. On a quiet machine; cpu (in part), windows, training, soft targets, deploy and upper bound read the results of `make run`.
bench: bench-evaluation bench-pseudo-label bench-cpu bench-windows bench-training bench-soft-targets bench-deploy bench-upper-bound

bench-evaluation: $(READY)
	python benchmarks/evaluation.py

bench-pseudo-label: $(READY)
	python benchmarks/pseudo_label.py

# What OpenVINO saves where there is no GPU; OPTIONS="--network small --slices 20" for a short one.
bench-cpu: $(READY)
	PYTHONPATH=workflow/scripts python benchmarks/labelling_cpu.py $(OPTIONS)

bench-windows: $(READY)
	python benchmarks/windows.py

bench-training: $(READY)
	python benchmarks/training_cpu.py

bench-soft-targets: $(READY)
	python benchmarks/soft_targets.py

bench-deploy: $(READY)
	python benchmarks/deploy.py

# What a network's grid alone costs: LABEL_MAPS=DIR, FLARE22's numbers; OPTIONS="--grid 2 1.5 1.5" for others than ours.
bench-grids: $(READY)
	PYTHONPATH=workflow/scripts python benchmarks/grids.py "$(or $(LABEL_MAPS),$(error LABEL_MAPS=DIR: the folder of label maps))" $(OPTIONS)

bench-upper-bound: $(READY)
	python benchmarks/upper_bound.py

bench-check: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/checking.py

bench-live: $(READY)
	PYTHONPATH=workflow/scripts python benchmarks/live_page.py

# Segmentations of other programs, read back (docs/segmentations.tsv). LABEL_MAPS=DIR: of those label maps.
bench-segmentations: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/segmentations.py $(if $(LABEL_MAPS),--label-maps "$(LABEL_MAPS)")

bench-archive: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/archive.py

bench-report: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/report.py

# Both make their scans and work in runs/; called again, they go on where they were.
bench-full-size: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/full_size.py

rehearsal: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/rehearsal.py --cores $(CORES)

# What only a GPU can show, in at most eight minutes (docs/gpu.md). On a CPU, tiny:
# PYTHONPATH=workflow/scripts:tests python benchmarks/gpu_check.py --rehearse
gpu-check: $(READY)
	PYTHONPATH=workflow/scripts:tests python benchmarks/gpu_check.py

# Ends, damages and starves small runs; the table goes to docs/faults.md.
faults: $(READY)
	pytest tests/faults --table docs/faults.md

# What comes of faulty and unusual input (docs/inputs.md). INPUTS=DIR make inputs: DIR has the scripts that make it.
inputs: INPUTS_PYTHON ?= $(BIN)/python
inputs: $(READY)
	@python benchmarks/inputs/run_inputs.py "$(or $(INPUTS),DIR)" --python $(INPUTS_PYTHON) --cores $(CORES)

# What each part of the method is worth (docs/study.md); goes on where it was. LABEL_MAPS=DIR make study: its scans are
# painted around those label maps instead of generated, in a folder of their own. study-choice: scans apart, on which
# presets are chosen; study-choice_painted: the same on painted ones. study-clinic: all scans from one clinic.
# study-partial: scans with only some of their organs labelled. study-review: which scans to correct, and what that is
# worth (LABEL_MAPS with all three).
STUDY := $(CURDIR)/results/study
RUN_STUDY = snakemake --snakefile benchmarks/study/Snakefile --workflow-profile profiles/venv --cores $(CORES) \
  --directory $(STUDY)/$(COHORT) $(patsubst study-%,--configfile benchmarks/study/%.yaml,$(filter study-%,$@)) \
  $(if $(LABEL_MAPS),--config label_maps=$(abspath $(LABEL_MAPS)))
study: COHORT = $(if $(LABEL_MAPS),painted,procedural)
study-choice: COHORT = $(if $(LABEL_MAPS),$(error LABEL_MAPS is for study-choice_painted: $@ has generated scans),choice)
study-choice_painted: COHORT = $(if $(LABEL_MAPS),choice_painted,$(error $@ has painted scans: LABEL_MAPS=DIR make $@))
study-clinic study-partial study-review: COHORT = $(@:study-%=%)$(if $(LABEL_MAPS),_painted)
study study-choice study-choice_painted study-clinic study-partial study-review: $(READY)
	mkdir -p $(STUDY)/$(COHORT)
	$(RUN_STUDY)
	@cat $(STUDY)/$(COHORT)/tables/summary.txt

# All results but the README of their folder.
clean:
	rm -rf logs
	test ! -d results || find results/ -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
