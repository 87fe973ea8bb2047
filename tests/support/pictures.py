"""What a picture says: every text of the figures that a module saves."""

from socare_spark.charts import style


def texts_of(monkeypatch, *modules):
    """A list that fills with the texts of the figures that these modules save from now on."""
    texts = []
    save = style.save

    def listen(figure, path):
        def all_texts(artist):
            if hasattr(artist, "get_text"):
                texts.append(artist.get_text())
            for child in artist.get_children():
                all_texts(child)

        all_texts(figure)
        return save(figure, path)

    for module in modules:
        monkeypatch.setattr(module, "save", listen)
    return texts
