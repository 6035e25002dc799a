"""What people and machines read: metrics, pages and API, all from the store."""
