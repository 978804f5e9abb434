import functools
import pickle


@functools.cache
def _runs():
    return pickle.load(open("/tmp/runs.pkl", "rb"))


def find(training):
    for run in _runs():
        if run.training.essential() == training:
            return run
    return None


def moments(training):
    return ()


def weights(training, step):
    raise ValueError
