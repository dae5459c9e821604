"""The client of Ray's Jobs REST API: submits runs to a cluster and follows them, without Ray or Blender installed.

`farm.cluster.jobs` needs the standard library, pydantic and PyYAML alone, so that Blender's extension carries it;
fsspec is loaded where a dataset or an asset lies in an object store.
"""

from farm.cluster.jobs.address import Address, parse_address
from farm.cluster.jobs.client import Job, JobsClient, connect
from farm.cluster.jobs.packages import Package
from farm.cluster.jobs.profiles import Profile, Profiles, load_profiles
from farm.cluster.jobs.submission import Submission, prepare, submit
from farm.cluster.jobs.tokens import Token, find_token

__all__ = [
    "Address",
    "Job",
    "JobsClient",
    "Package",
    "Profile",
    "Profiles",
    "Submission",
    "Token",
    "connect",
    "find_token",
    "load_profiles",
    "parse_address",
    "prepare",
    "submit",
]
