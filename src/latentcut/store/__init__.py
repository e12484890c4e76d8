"""
The project file: images, labels, objects, masks and the history of every image, in SQLite.

Start with `project.py` (what one can do) and `rows.py` (what comes back); `schema.py` has the
tables, `connection.py` keeps what was promised when disks fill up and folders vanish.
"""
