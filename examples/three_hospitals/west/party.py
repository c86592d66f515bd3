"""West's part in the study, step by step: python -m west.party prepare, join or contribute."""

from pathlib import Path

from hospital import main

if __name__ == "__main__":
    main(Path(__file__).parent)
