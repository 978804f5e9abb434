"""A Dask cluster, whose workers do the jobs."""

from lstm_explorer.extras import require

require("cluster")
