import pytest

from noisy_student.running import oom


@pytest.fixture
def machine(tmp_path):
    """A root with the files that the kernel would show."""

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


OF_MACHINE = {"proc/vmstat": "pgfault 5\noom_kill 9\n"}


def test_the_count_of_the_own_group_is_taken_before_the_machines(machine):
    files = {"proc/self/cgroup": "0::/run/job\n", "sys/fs/cgroup/run/job/memory.events": "oom 4\noom_kill 2\n"}
    assert oom.kills(machine(OF_MACHINE | files)) == 2


def test_groups_of_version_1_are_read(machine):
    files = {
        "proc/self/cgroup": "5:cpu,memory:/job\n0::/\n",
        "sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    }
    assert oom.kills(machine(OF_MACHINE | files)) == 3


def test_without_a_group_the_machine_counts_and_without_that_nobody(machine):
    root = machine({"proc/self/cgroup": "0::/\n"})
    assert oom.kills(root) == 0
    assert oom.kills(machine(OF_MACHINE)) == 9


def test_this_machine_is_asked_without_an_error():
    assert oom.kills() >= 0
