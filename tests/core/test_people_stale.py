"""Kept kernels are forgotten when a source beside them changes, and kept when none does."""

from pathlib import Path

from blindscore.kernel_cache import drop_stale_kernels


def kept(folder: Path) -> Path:
    index = folder / "__pycache__" / "a.kernel.nbi"
    index.parent.mkdir(exist_ok=True)
    index.write_bytes(b"compiled")
    return index


def test_kernels_are_kept_until_a_source_changes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("y = 1\n")
    assert drop_stale_kernels(tmp_path)
    index = kept(tmp_path)
    assert not drop_stale_kernels(tmp_path)
    assert index.exists()
    (tmp_path / "b.py").write_text("y = 2\n")
    assert drop_stale_kernels(tmp_path)
    assert not index.exists()


def test_a_renamed_source_counts_as_changed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    drop_stale_kernels(tmp_path)
    index = kept(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    assert drop_stale_kernels(tmp_path)
    assert not index.exists()


def test_a_folder_that_cannot_be_written_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "__pycache__").write_text("a file where the folder should be")
    assert not drop_stale_kernels(tmp_path)
