"""How the shipped network `worlds` is made, from nothing but a program that draws worlds. Not in the wheel.

    paint    worlds/ draws pictures with exact depth          ─►  RUN/shards   (shards: arrays on disk, a ring)
             (gallery: first of all what hangs on their walls)
    train    RUN/shards ─ augment ─► network ─► losses        ─►  RUN/state.pt, RUN/weights.pt, RUN/log.jsonl
    export   RUN/weights.pt                                   ─►  src/unflat/models/weights/worlds.onnx

The second network, `forecast`, is made from the same worlds by training/forecast, which begins from the depth weights.

From an empty disk, in an environment with `training/requirements.txt`, in the root of the repository:

    python -m training.train RUN --hours 24 --painters 2

A second call goes on where the first one stopped. `--shared FOLDER` adds free textures and panoramas (worlds/sources),
`--start` begins from the shipped file, or from onward.onnx, which a training cut off in its middle leaves behind.
`python -m training.worlds.sheet` shows what is learnt from; `benchmarks/depth.py` and `benchmarks/depth_worlds.py` say
what was learnt.
"""
