"""How labelling a scan ended: the column `outcome` of the efficiency table. Without what measures."""

SUCCESS = "ok"
TIMED_OUT = "timed out"
