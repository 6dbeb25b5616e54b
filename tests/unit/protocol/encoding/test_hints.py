"""The advice about values that cannot be sent."""

from __future__ import annotations

import pytest

from wrapper.protocol.encoding.hints import describe


class Base:
    """Stands in for a type of a library."""


@pytest.mark.parametrize(
    ("module", "name", "advice"),
    [
        ("PIL.Image", "Image", '.save(buffer, "PNG")'),
        ("matplotlib.figure", "Figure", '.savefig(buffer, format="png")'),
        ("pandas.core.frame", "DataFrame", '.to_dict("records")'),
        ("polars.dataframe.frame", "DataFrame", ".to_dicts()"),
        ("torch", "Tensor", ".numpy(force=True)"),
        ("jax", "Array", "numpy.asarray(...)"),
        ("torch.nn.modules.module", "Module", "torch.save"),
        ("sklearn.base", "BaseEstimator", "joblib.dump"),
    ],
)
def test_objects_of_well_known_libraries(module: str, name: str, advice: str) -> None:
    kind = type(name, (Base,), {"__module__": module})
    derived = type("Derived", (kind,), {"__module__": "main"})
    for each in (kind, derived):
        assert advice in describe(each())
        assert "vars(" not in describe(each())


def test_object_like_a_model() -> None:
    kind = type("Model", (Base,), {"__module__": "main", "predict": lambda self, rows: rows})
    assert describe(kind()) == (
        "is a main.Model; save it with joblib.dump, and send the file's bytes or its path"
    )
