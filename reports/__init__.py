"""What people and machines read: metrics, pages, the JSON API."""
