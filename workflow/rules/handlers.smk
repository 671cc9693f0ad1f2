# What is checked when a run starts, and what is said then and at its end.

from noisy_student import banner, cluster


onstart:
    if workflow.executor_plugin.name == "slurm":
        try:
            cluster.refuse_second_copies(Path.cwd())
        except InputError as error:
            raise WorkflowError(str(error))
    print(banner.started(Path.cwd(), log[0], len(ROUNDS) - 1), file=sys.stderr)


onsuccess:
    print(banner.finished(Path.cwd(), log[0]), file=sys.stderr)


onerror:
    print(banner.failed(Path.cwd(), log[0]), file=sys.stderr)
