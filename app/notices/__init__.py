"""Notices that reach people outside the page: mails, written with what they tell of."""
