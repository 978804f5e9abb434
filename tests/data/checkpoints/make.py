"""Write the checkpoints of this folder with Keras and Lightning themselves, and what their networks compute.

Run with these versions, in an environment of its own; no test runs it::

    pip install keras==3.15.1 h5py==3.16.0 lightning==2.6.6 torch==2.13.0
    python tests/data/checkpoints/make.py
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import lightning
import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
#: Batch, steps and features of the inputs, and units of every layer.
BATCH, STEPS, FEATURES, UNITS = 2, 5, 3, 4
INPUTS = np.random.default_rng(0).normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)


def layers() -> list[keras.layers.Layer]:
    """Return one layer of each kind, those that PyTorch does not have among them."""
    kind = keras.layers
    whole = {"return_sequences": True}
    return [
        kind.LSTM(UNITS, name="memory", **whole),
        kind.LSTM(UNITS, name="without_bias", use_bias=False, **whole),
        kind.GRU(UNITS, name="gated", **whole),
        kind.SimpleRNN(UNITS, name="plain", **whole),
        kind.SimpleRNN(UNITS, name="rectified", activation="relu", **whole),
        kind.Bidirectional(kind.LSTM(UNITS, **whole), name="both_ways"),
        kind.Bidirectional(kind.GRU(UNITS, **whole), name="both_summed", merge_mode="sum"),
        kind.RNN(kind.LSTMCell(UNITS), name="of_a_cell", **whole),
        kind.LSTM(UNITS, name="backwards", go_backwards=True, **whole),
        kind.GRU(UNITS, name="old_gru", reset_after=False, **whole),
        kind.LSTM(UNITS, name="hard", recurrent_activation="hard_sigmoid", **whole),
    ]


class Own(keras.Model):
    """A model of which no file but its weights knows the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = keras.layers.LSTM(UNITS, return_sequences=True)
        self.head = keras.layers.Dense(1)

    def call(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(inputs))


def shaken(model: keras.Model) -> keras.Model:
    """Move every weight: biases of zero would hide that they are mistaken for one another."""
    generator = np.random.default_rng(1)
    model.set_weights([w + generator.normal(scale=0.3, size=w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def write_keras() -> dict[str, np.ndarray]:
    """Write one model in the two formats of whole models, and one of which there are weights only."""
    read = keras.Input((STEPS, FEATURES), name="read")
    parts = layers()
    model = shaken(
        keras.Model(read, [keras.layers.Dense(1, name="head")(parts[0](read)), *(part(read) for part in parts[1:])])
    )
    model.save(HERE / "model.keras")
    model.save(HERE / "model.h5", include_optimizer=False)
    own = Own()
    own(INPUTS)
    shaken(own).save_weights(HERE / "own.weights.h5")
    computed = {part.name: part(INPUTS) for part in parts} | {"encoder": own.encoder(INPUTS)}
    return {name: keras.ops.convert_to_numpy(output) for name, output in computed.items()}


class Choice:
    """A class of the program that trains, as hyperparameters hold it."""


class Model(lightning.LightningModule):
    """Two recurrent networks and a head."""

    def __init__(self, choice: Choice, size: int) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.LSTM(FEATURES, size, num_layers=2, batch_first=True)
        self.decoder = nn.GRU(size, size, batch_first=True)
        self.head = nn.Linear(size, 1)

    def training_step(self, batch: torch.Tensor) -> torch.Tensor:
        return self.head(self.decoder(self.encoder(batch)[0])[0]).square().mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def write_lightning() -> dict[str, np.ndarray]:
    """Train for one step, and let the trainer write its checkpoint."""
    torch.manual_seed(0)
    model = Model(Choice(), UNITS)
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_steps=1, accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=folder
        )
        trainer.fit(model, torch.utils.data.DataLoader(torch.from_numpy(INPUTS), batch_size=BATCH))
        trainer.save_checkpoint(HERE / "lightning.ckpt")
    with torch.no_grad():
        encoded = model.encoder(torch.from_numpy(INPUTS))[0]
        return {"lightning_encoder": encoded.numpy(), "lightning_decoder": model.decoder(encoded)[0].numpy()}


if __name__ == "__main__":
    np.savez_compressed(HERE / "computed.npz", inputs=INPUTS, **write_keras(), **write_lightning())
