# Where the workflow lies, and what its configuration is made from.
#
# makes  .snakemake/flare/<commit>    the workflow's files, where Snakemake reads it from GitHub or GitLab

import tarfile
import tempfile
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config


def on_disk(source) -> Path:
    """The files of a hosted repository, of which Snakemake has a bare clone alone: its commands need them."""
    repository = source.hosted_repo.repo
    commit = repository.commit(source.ref).hexsha
    folder = Path(".snakemake/flare", commit).absolute()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile() as archive:
            repository.archive(archive, commit)
            archive.seek(0)
            unfinished = tempfile.mkdtemp(dir=folder.parent)
            tarfile.open(fileobj=archive).extractall(unfinished, filter="data")
        Path(unfinished).rename(folder)
    return folder


SOURCE = workflow.current_basedir
# The workflow's own folder, wherever it is run: as it lies there, or as a module of another workflow.
ROOT = on_disk(SOURCE) if hasattr(SOURCE, "hosted_repo") else Path(str(SOURCE)).parents[1]
DEFAULTS = f"{ROOT}/config/config.yaml"
# What the folder of a run says itself, over the defaults. In a module's it is another workflow's.
OWN = "config/config.yaml"
if not workflow.modifier.is_main_snakefile() or not Path(OWN).exists() or Path(OWN).samefile(DEFAULTS):
    OWN = ""
# What stands over the defaults: the files and options of the command line, and that file.
GIVEN = [workflow.config_settings.overwrite_config, *([load_configfile(OWN)] if OWN else [])]
# A module that is given a configuration reads no file: what it is given stands over the defaults.
if workflow.modifier.skip_configfile:
    GIVEN, config = [config], load_configfile(DEFAULTS)
    update_config(config, *GIVEN)
