"""A SLURM cluster on this machine that lives as long as a test: several nodes, each with a GPU that is none.

All of it lies in one folder: keys, ports, spool, logs. Nodes promise more cores and memory than the machine has, so
that a profile's requests can be met; memory is watched by polling, as there are no cgroups to write to.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "srun")
# Where clients look when SLURM_CONF is not set: job steps drop it from their environment.
SYSTEM_FOLDER = Path("/etc/slurm")
SEARCHED = os.pathsep.join((os.environ["PATH"], "/usr/sbin", "/sbin"))
NULL_DEVICE = os.makedev(1, 3)
# As of many partitions with GPUs; a job that asks for more waits for ever.
MAX_TIME = "3-00:00:00"


def missing_programs() -> list[str]:
    """The programs of SLURM that are not installed."""
    return [name for name in (*DAEMONS, *CLIENTS) if shutil.which(name, path=SEARCHED) is None]


def install() -> str:
    """Install SLURM from the system's packages if it is not there; why that was not possible, or nothing."""
    if missing_programs() and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ("--yes", "--no-install-recommends", "install", "slurm-wlm", "munge")
        for arguments in (("update",), packages):
            subprocess.run(("apt-get", "--quiet", *arguments), env=environment, capture_output=True, check=False)
    if missing_programs():
        return f"SLURM is not installed ({', '.join(missing_programs())}), and installing it needs root and apt-get"
    if os.geteuid() != 0:
        return "starting a SLURM cluster needs root"
    foreign = SYSTEM_FOLDER / "slurm.conf"
    return f"{foreign} belongs to a real cluster" if foreign.exists() and not foreign.is_symlink() else ""


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def is_alive(process: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds: float, what: str) -> None:
    """Wait for a condition, or fail saying what did not happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.2)


class Cluster:
    """`nodes` nodes named n1, n2, …, each with `cpus` cores, `memory_mb` of memory and one GPU."""

    def __init__(self, folder: Path, nodes: int = 5, cpus: int = 8, memory_mb: int = 100_000) -> None:
        self.folder, self.cpus, self.memory_mb = folder, cpus, memory_mb
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.environment = {**os.environ, "PATH": SEARCHED, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        """Write the configuration and start the daemons; returns when every node can take a job."""
        for name in ("state", "run", "log", "gpu", "munge"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        (self.folder / "munge").chmod(0o755)
        self._write_configuration()
        SYSTEM_FOLDER.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            link = SYSTEM_FOLDER / name
            link.unlink(missing_ok=True)
            link.symlink_to(self.folder / name)
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        run, log = self.folder / "run", self.folder / "log"
        self.call(
            "munged", "--force", f"--key-file={key}", f"--socket={self.folder}/munge/socket",
            f"--pid-file={run}/munged.pid", f"--log-file={log}/munged.log", f"--seed-file={self.folder}/munge/seed",
        )  # fmt: skip
        self.call("slurmctld", "-c")
        for node in self.nodes:
            self.call("slurmd", "-N", node)
        wait_until(lambda: self.idle_nodes() == len(self.nodes), 60, f"nodes become idle; see {log}")

    def _write_configuration(self) -> None:
        """slurm.conf and gres.conf."""
        controller, *ports = free_ports(1 + len(self.nodes))
        host = socket.gethostname().split(".")[0]
        folder = self.folder
        nodes, gpus = [], []
        for node, port in zip(self.nodes, ports, strict=True):
            # A GPU is a device file to SLURM; this one is another /dev/null.
            os.mknod(folder / "gpu" / node, 0o666 | stat.S_IFCHR, NULL_DEVICE)
            nodes.append(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} Sockets=1"
                f" CoresPerSocket={self.cpus} ThreadsPerCore=1 RealMemory={self.memory_mb} Gres=gpu:fake:1"
            )
            gpus.append(f"NodeName={node} Name=gpu Type=fake File={folder}/gpu/{node}")
        settings = {
            "ClusterName": "test",
            "SlurmctldHost": f"{host}(127.0.0.1)",
            "SlurmctldPort": controller,
            "SlurmUser": "root",
            "SlurmdUser": "root",
            "AuthType": "auth/munge",
            "AuthInfo": f"socket={folder}/munge/socket",
            "StateSaveLocation": folder / "state",
            "SlurmdSpoolDir": folder / "state/%n",
            "SlurmctldPidFile": folder / "run/slurmctld.pid",
            "SlurmdPidFile": folder / "run/slurmd-%n.pid",
            "SlurmctldLogFile": folder / "log/slurmctld.log",
            "SlurmdLogFile": folder / "log/slurmd-%n.log",
            # Neither systemd nor cgroups are needed.
            "ProctrackType": "proctrack/linuxproc",
            "TaskPlugin": "task/none",
            "MpiDefault": "none",
            "SwitchType": "switch/none",
            # A step over its memory is ended by what measures it, every second.
            "JobAcctGatherType": "jobacct_gather/linux",
            "JobAcctGatherFrequency": "task=1",
            "JobAcctGatherParams": "OverMemoryKill",
            "AccountingStorageType": "accounting_storage/none",
            # squeue still shows a job that ended so many seconds ago.
            "MinJobAge": 600,
            "SelectType": "select/cons_tres",
            "SelectTypeParameters": "CR_Core_Memory",
            "GresTypes": "gpu",
            "SlurmdParameters": "config_overrides",
            "ReturnToService": 2,
            "KillWait": 2,
            # A job whose node is lost comes back only if it asks for that itself.
            "JobRequeue": 0,
            "SchedulerType": "sched/backfill",
            "SchedulerParameters": "batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1",
        }
        lines = [f"{key}={value}" for key, value in settings.items()]
        lines += [*nodes, f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES MaxTime={MAX_TIME} State=UP"]
        (folder / "slurm.conf").write_text("\n".join(lines) + "\n")
        (folder / "gres.conf").write_text("\n".join(gpus) + "\n")

    def call(self, *command: str) -> str:
        """Run a command of this cluster and return what it prints."""
        run = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{command}: {run.stdout}{run.stderr}"
        return run.stdout

    def idle_nodes(self) -> int:
        """Nodes without a job that could take one."""
        listed = subprocess.run(("sinfo", "-hN", "-o", "%T"), env=self.environment, capture_output=True, text=True)
        return listed.stdout.split().count("idle")

    def jobs(self, rule: str = "", states: str = "RUNNING", folder: Path | None = None) -> dict[str, str]:
        """Job number → comment (rule and wildcards) of the jobs in certain states, of one folder or of all."""
        lines = self.call("squeue", "--noheader", f"--states={states}", "--format=%i|%k|%Z").splitlines()
        rows = [line.strip().split("|", 2) for line in lines]
        return {
            number: comment
            for number, comment, place in rows
            if comment.startswith(f"rule_{rule}") and folder in (None, Path(place))
        }

    def node_of(self, job: str) -> str:
        """The node on which a job runs."""
        return self.call("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()

    def lose(self, node: str) -> None:
        """Let a node fall silent, and set it down. The processes of its jobs live on, out of SLURM's reach."""
        os.kill(int((self.folder / f"run/slurmd-{node}.pid").read_text()), signal.SIGKILL)
        self.call("scontrol", "update", f"NodeName={node}", "State=down", "Reason=test")

    def begin_now(self, job: str) -> None:
        """Let a job that SLURM put back into the queue begin at once; otherwise it waits for two minutes."""
        self.call("scontrol", "update", f"JobId={job}", "StartTime=now")

    def stop(self) -> None:
        """Cancel all jobs, end the daemons, leave nothing behind."""
        subprocess.run(("scancel", "--user=root"), env=self.environment, capture_output=True, timeout=20, check=False)
        processes = [int(path.read_text()) for path in (self.folder / "run").glob("*.pid")]
        try:
            wait_until(lambda: not self.jobs(states="RUNNING,COMPLETING,PENDING"), 20, "jobs end")
        finally:
            for number in processes:
                if is_alive(number):
                    os.kill(number, signal.SIGTERM)
            for name in ("slurm.conf", "gres.conf"):
                link = SYSTEM_FOLDER / name
                if link.is_symlink() and link.readlink() == self.folder / name:
                    link.unlink()
        wait_until(lambda: not any(map(is_alive, processes)), 30, "daemons end")
