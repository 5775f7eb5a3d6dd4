"""What people read, in Dutch and English: codes and numbers become sentences here, at the edge."""
