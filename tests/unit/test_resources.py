"""`gateway.resources`: files of the package, and where a checkout has them."""

import pytest

from gateway import resources


def test_a_file_of_the_package():
    assert resources.read_text("formats/labels/sv.toml").startswith("#")
    assert resources.read_bytes("formats/invoice.typ").startswith(b"//")


def test_the_configuration_stands_elsewhere_in_a_checkout():
    assert "[gateway]" in resources.read_text("data/gateway.toml")


def test_what_is_missing_is_named():
    with pytest.raises(FileNotFoundError, match="no/such is missing from the installation"):
        resources.path("no/such")


def test_the_samples_are_two_ubl_documents_and_a_text_pdf():
    names = [file.name for file in resources.samples()]
    assert names == ["credit-note-havnens.xml", "invoice-kvarnbacken.xml", "invoice-papeterie.pdf"]
