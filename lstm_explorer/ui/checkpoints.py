"""The reader's own checkpoint: sent once, looked through, and kept for the session; not on disk.

The file itself is kept, as it is handed back with only its biases changed. All sessions together keep a bounded number
of bytes: the files used least lately are dropped first, and their readers are told to choose them again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import streamlit as st
from torch import nn

from lstm_explorer.core.checkpoints import LoadedCheckpoint, find_in_checkpoint
from lstm_explorer.core.checkpoints.messages import CheckpointError
from lstm_explorer.core.escape import markdown, one_line
from lstm_explorer.locales import _, translated
from lstm_explorer.ui import uploads
from lstm_explorer.ui.room import Room

_KEY, _ERROR, _SEEN = "lstm_explorer_checkpoint", "lstm_explorer_checkpoint_error", "lstm_explorer_checkpoint_id"
#: MB of one file, as ``.streamlit/config.toml`` says too, and bytes that all sessions keep together.
LARGEST_FILE, LARGEST_SERVER = 25, 100_000_000
#: Endings that are offered.
_ENDINGS = ["pt", "pth", "bin", "ckpt", "safetensors", "keras", "h5", "hdf5"]


@dataclass(eq=False, kw_only=True)
class OwnCheckpoint:
    """A checkpoint of this session.

    Attributes:
        name: The file's name.
        digest: What tells it from other files.
        size: Its bytes.
        checkpoint: What was found in it.
    """

    name: str
    digest: str
    size: int
    checkpoint: LoadedCheckpoint
    _built: dict[str, nn.Module] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The recurrent networks in it."""
        return tuple(found.name for found in self.checkpoint.found)

    def network(self, name: str) -> nn.Module:
        """Return the network of a name."""
        if name not in self._built:  # one at a time: a file may hold many
            network = self.checkpoint.network(name)
            self._built.clear()
            self._built[name] = network
        return self._built[name]


_ROOM = Room[OwnCheckpoint](LARGEST_SERVER)


def current_file() -> OwnCheckpoint | None:
    """Return the checkpoint of this session, if one was sent and is still kept."""
    own: OwnCheckpoint | None = st.session_state.get(_KEY)
    if own is None or not _ROOM.holds(own):
        st.session_state.pop(_KEY, None)
        return None
    return own


def checkpoint_control() -> OwnCheckpoint | None:
    """Draw the upload box; a file that cannot be read is refused with the reason, and the last one is kept.

    Returns:
        The checkpoint of this session.
    """
    sent = st.file_uploader(
        _("Checkpoint: PyTorch, Lightning, safetensors or Keras"), type=_ENDINGS, key="checkpoint_file",
    )  # fmt: skip
    if sent is not None and sent.file_id != st.session_state.get(_SEEN):
        st.session_state[_SEEN] = sent.file_id
        name, data = one_line(sent.name), uploads.take(sent)
        with st.spinner(_("Reading the checkpoint …")):
            _keep(name, data)
    if error := st.session_state.get(_ERROR):
        st.error(markdown(error), icon=":material/error:")
    own = current_file()
    if own is None:
        st.caption(
            _(
                "Up to {megabytes} MB. Nothing in the file is run, and it is not kept on disk: it stays in this "
                "browser session, and an address cannot carry it."
            ).format(megabytes=LARGEST_FILE)
        )
    return own


def _keep(name: str, data: bytes) -> None:
    """Look through a file, and keep it where it holds a network."""
    st.session_state.pop(_ERROR, None)
    try:
        checkpoint = find_in_checkpoint(data)
    except CheckpointError as error:
        st.session_state[_ERROR] = f"{name}: {translated(error.template).format(**error.values)}"
        return
    digest = hashlib.sha256(data).hexdigest()[:16]
    own = OwnCheckpoint(name=name, digest=digest, size=len(data), checkpoint=checkpoint)
    _ROOM.add(own)
    st.session_state[_KEY] = own
