"""Label Studio: an ML backend that answers its smart keypoints, boxes and brushes."""
