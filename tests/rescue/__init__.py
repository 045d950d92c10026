"""Answers that break off anywhere, and what a caller gets of them: counted over many random cuts."""
