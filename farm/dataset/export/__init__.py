"""A dataset in the layouts that trainers read. `docs/exports.md` describes each.

Every module of a layout has one `plan(source)`, which says what files there will be and how each is made.
"""

from farm.dataset.export.run import KINDS, ExportSummary, export_dataset

__all__ = ["KINDS", "ExportSummary", "export_dataset"]
