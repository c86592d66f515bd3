"""The study that lies on disks, built once a run."""

import shutil

import pytest
from study_world import World, build


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    return build(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(stages, tmp_path):
    """A copy of any stage: `world("joined")`."""

    def copied(stage: str, name: str = "w") -> World:
        shutil.copytree(stages[stage], tmp_path / name)
        return World(tmp_path / name)

    return copied
