"""Who does the work: tasks, workers and the driver of a run on Ray."""
