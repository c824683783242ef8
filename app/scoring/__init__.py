"""What answers are worth: checks, comparisons, rankings and the report. Plain Python, no Qt."""
