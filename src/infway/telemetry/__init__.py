"""What infway says about itself: metrics with closed label sets, and the shape of a log line."""
