"""The server of the annotation page: a folder of images, its project and the model, over HTTP."""
