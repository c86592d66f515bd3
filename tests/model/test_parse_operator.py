import pytest

from privkit.errors import UsageError
from privkit.model.operators import OPERATORS, Generalize, Keep, Mask, Pseudonym, Replace, parse_operator


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_by_its_name_alone(name):
    assert parse_operator(name) == OPERATORS[name]()


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("mask:chars_to_mask=4,masking_char=*", Mask(chars_to_mask=4)),
        (" mask : chars_to_mask = 4 , from_end = true ", Mask(chars_to_mask=4, from_end=True)),
        ('mask:masking_char=","', Mask(masking_char=",")),
        ("replace:new_value='a, b=c'", Replace(new_value="a, b=c")),
        ("replace:new_value=", Replace(new_value="")),
        ("replace:new_value=null", Replace(new_value=None)),
        ("replace:new_value='null'", Replace(new_value="null")),
        ("replace:new_value=007", Replace(new_value="007")),
        ("replace:new_value=no", Replace(new_value="no")),
        ("pseudonym:reversible=no", Pseudonym(reversible=False)),
        ("generalize:band=2.5,top=90", Generalize(band=2.5, top=90)),
        ("keep:", Keep()),
    ],
)
def test_parameters(text, operator):
    assert parse_operator(text) == operator


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("maks", "no operator 'maks'", "Did you mean `mask`?"),
        ("", "no operator ''", "keep, redact, replace, mask, pseudonym"),
        ("mask:stars=4", "mask has no parameter 'stars'", "mask takes: masking_char, chars_to_mask, from_end."),
        ("keep:x=1", "keep has no parameter 'x'", "keep takes no parameters."),
        ("mask:chars_to_mask=four", "mask: chars_to_mask:", "mask takes"),
        ("mask:chars_to_mask=0", "chars_to_mask: Input should be greater than", "mask takes"),
        ("mask:chars_to_mask", "`parameter=value` is wanted at character 1", "mask takes"),
        ("mask:from_end=no,=3", "`parameter=value` is wanted at character 13", "mask takes"),
        ("replace:new_value='open", "`parameter=value` is wanted at character 1", "replace takes"),
        ("mask:chars_to_mask=4,chars_to_mask=5", "chars_to_mask stands twice", "mask takes"),
        ("generalize:to=year,digits=3", "generalize: take one of", "generalize takes"),
        ("mask:operator=keep", "mask has no parameter 'operator'", "mask takes"),
    ],
)
def test_what_is_not_understood(text, message, hint):
    with pytest.raises(UsageError) as caught:
        parse_operator(text)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_the_value_is_not_repeated():
    with pytest.raises(UsageError) as caught:
        parse_operator("mask:chars_to_mask=Jane Roe")
    assert "Jane" not in caught.value.message + str(caught.value.hint)
