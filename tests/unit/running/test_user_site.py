import os
import site
import sys
from types import SimpleNamespace

import pytest

from noisy_student.running import user_site

FOLDER = "/home/me/.local/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("file", "is_hidden"),
    [
        (f"{FOLDER}/snakemake/__init__.py", False),
        (f"{FOLDER}/snakemake_executor_plugin_slurm/__init__.py", False),
        ("/opt/snakemake/lib/python3.11/site-packages/snakemake/__init__.py", True),
        (f"{FOLDER}/pandas/__init__.py", True),
    ],
    ids=["Snakemake there", "its plugin there", "Snakemake elsewhere", "others there"],
)
def test_a_users_own_packages_are_hidden_unless_snakemake_is_one_of_them(monkeypatch, file, is_hidden):
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(site, "getusersitepackages", lambda: FOLDER)
    monkeypatch.setitem(sys.modules, file.split("/")[-2], SimpleNamespace(__file__=file))
    user_site.leave_out()
    assert os.environ == ({"PYTHONNOUSERSITE": "1"} if is_hidden else {})
