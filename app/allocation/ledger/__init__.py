"""Leaves, openings, the tree, signed notes and exports, as bytes and rules."""
