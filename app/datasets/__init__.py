"""Files of questions and answers that other programs write and read. Plain Python, no Qt."""
