"""Evaluation: suites of cases, asked of models through the gateway's own engine, graded, kept, compared.

`suite` reads what is asked, `sampling` takes it from recordings. `running` asks and grades, `run_file` keeps results
so that a killed run goes on, `answers` keeps answers so that nothing is paid twice. `paired` says what a difference
is worth, `switching` whether a workload may move. What reaches a model goes through the port `Caller`.
"""
