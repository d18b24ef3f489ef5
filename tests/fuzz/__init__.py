"""What comes from outside, made up: by Hypothesis, and by a fuzzer (`make fuzz`).

A target takes bytes, gives them to the code that servers and caches reach, and fails for any
exception but ours. What was found interesting is kept in `corpus`, and tried by `make test`.
"""
