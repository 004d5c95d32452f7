"""The network `forecast`, which marks mirrors, glass and blank walls: how it is made. See training for the rest.

paint --panes   worlds ─ recast ─► shards rich in mirrors and glass
train           shards ─ labels ─ augment ─► network (begun from `worlds`) ─► RUN/weights.pt
export          RUN/weights.pt ─► src/unflat/models/weights/forecast.onnx
"""
