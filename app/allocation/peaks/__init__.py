"""Many households and few places: who gets which."""
