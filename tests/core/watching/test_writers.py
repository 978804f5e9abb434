from lstm_explorer.core.watching.writers import write_with


def test_a_writer_of_tensorboards_kind_gets_every_number():
    class Writer:
        def __init__(self):
            self.came = []

        def add_scalar(self, name, value, step):
            self.came.append((name, value, step))

    writer = Writer()
    write_with(writer)({"a": 1.0, "b": 2.0}, 50)
    assert writer.came == [("a", 1.0, 50), ("b", 2.0, 50)]


def test_a_function_gets_them_at_once_and_without_a_writer_nothing_is_written():
    came = []
    write_with(lambda *what: came.append(what))({"a": 1.0}, 50)
    assert came == [({"a": 1.0}, 50)]
    assert write_with(None) is None
