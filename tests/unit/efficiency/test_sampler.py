import subprocess
import sys
from itertools import pairwise

from noisy_student.efficiency.sampler import Sampler

CODE = "import time\nwhile time.process_time() < 0.35: pass"


def test_samples_cover_the_processs_life_in_order():
    sampler = Sampler(gpu=None)
    process = subprocess.Popen([sys.executable, "-c", CODE])
    assert sampler.follow(process.pid, limit_s=60, kill=process.kill)
    assert process.wait() == 0
    samples = sampler.samples
    assert samples[0].time_s == 0
    assert samples[0].tree_cpu_s == 0
    assert all(a.time_s < b.time_s and a.tree_cpu_s <= b.tree_cpu_s for a, b in pairwise(samples))
    # The last look comes after the end and still sees the time that the process used, in ticks of 0.01 s.
    assert samples[-1].tree_cpu_s >= 0.32
    assert samples[-1].tree_ram_mb == 0
    assert max(sample.tree_ram_mb for sample in samples) > 1
    assert all(0 <= sample.machine_cpu_percent <= 100 for sample in samples)
    assert samples[-1].gpu_mb is None


def test_the_limit_calls_kill_once():
    sampler = Sampler(gpu=None)
    process = subprocess.Popen(["sleep", "60"])
    calls = []

    def kill():
        calls.append(1)
        process.kill()

    assert not sampler.follow(process.pid, limit_s=0.2, kill=kill)
    process.wait()
    assert calls == [1]
