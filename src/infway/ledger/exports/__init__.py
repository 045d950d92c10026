"""What providers say was used: their exports, read as they are. Nothing here does any I/O."""
