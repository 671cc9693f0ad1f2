"""How labelling a scan ended: the column `outcome` of the efficiency table. Without what measures."""

SUCCESS = "ok"
TIMED_OUT = "timed out"
# Before the exit status with which a command ended by itself.
EXITED = "failed: exit"
