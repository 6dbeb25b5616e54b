"""The commands of the algorithm protocol, as they appear in messages."""

from __future__ import annotations

# From the worker
INITIALIZE = "initialize"
START = "start"
STOP = "stop"
EXIT = "exit"
SUB_PIPELINE_STARTED = "subPipelineStarted"
SUB_PIPELINE_DONE = "subPipelineDone"
SUB_PIPELINE_ERROR = "subPipelineError"
SUB_PIPELINE_STOPPED = "subPipelineStopped"
SUB_PIPELINE_STOPPED_MISSPELT = "subPiplineStopped"  # as HKube's documentation spells it
ALGORITHM_EXECUTION_DONE = "algorithmExecutionDone"
ALGORITHM_EXECUTION_ERROR = "algorithmExecutionError"
DATA_SOURCE_RESPONSE = "dataSourceResponse"
SERVICE_DISCOVERY_UPDATE = "serviceDiscoveryUpdate"
STREAMING_IN_MESSAGE = "streamingInMessage"
ALREADY_CONNECTED_ERROR = "alreadyConnectedError"

# To the worker
INITIALIZED = "initialized"
STARTED = "started"
ALIVE = "alive"
STOPPING = "stopping"
STOPPED = "stopped"
DONE = "done"
ERROR_MESSAGE = "errorMessage"
PROGRESS = "progress"
START_SPAN = "startSpan"
FINISH_SPAN = "finishSpan"
START_RAW_SUB_PIPELINE = "startRawSubPipeline"
START_STORED_SUB_PIPELINE = "startStoredSubPipeline"
STOP_SUB_PIPELINE = "stopSubPipeline"
START_ALGORITHM_EXECUTION = "startAlgorithmExecution"
STOP_ALGORITHM_EXECUTION = "stopAlgorithmExecution"
DATA_SOURCE_REQUEST = "dataSourceRequest"
STORING = "storing"
SERVING_STATUS = "servingStatus"
STREAMING_STATISTICS = "streamingStatistics"
STREAMING_OUT_MESSAGE = "streamingOutMessage"
STREAMING_IN_MESSAGE_DONE = "streamingInMessageDone"
LOG_DATA = "logData"

# The answers to calls of the code API. `shapes` says how each is read.
ANSWERS = frozenset(
    (
        SUB_PIPELINE_STARTED,
        SUB_PIPELINE_DONE,
        SUB_PIPELINE_ERROR,
        SUB_PIPELINE_STOPPED,
        SUB_PIPELINE_STOPPED_MISSPELT,
        ALGORITHM_EXECUTION_DONE,
        ALGORITHM_EXECUTION_ERROR,
        DATA_SOURCE_RESPONSE,
    )
)
