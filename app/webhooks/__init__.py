"""What Plek sends of itself: the only room from which requests go out."""
