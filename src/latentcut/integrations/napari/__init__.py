"""A plugin for napari: clicks, boxes and scribbles on any image layer. Needs the extra `napari`."""
