"""What is known of models' quality, and from when on it may be acted upon. Pure.

`betting` and `detector` are the two tests, `judge_error` what a judge's mistakes cost them, `enrolment` the order in
which outcomes count, `holdout` the unbiased saving, `fold` quality per model and task from every source.
"""
