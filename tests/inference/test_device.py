"""What torch says of devices, and what becomes of it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from rfdn_video.errors import DeviceError
from rfdn_video.inference import device
from rfdn_video.inference.device import is_out_of_memory, open_device, report_device_errors, resolve_device


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "text",
    [
        "MPS backend out of memory (MPS allocated: 8.00 GB)",
        "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: you tried ...",
        "[enforce fail at alloc_cpu.cpp:116] err == 0. DefaultCPUAllocator: can't allocate memory: you tried ...",
    ],
)
def test_memory_that_is_short_is_known_by_every_name(text: str) -> None:
    assert is_out_of_memory(RuntimeError(text))
    with (
        pytest.raises(DeviceError, match="out of memory for a frame; use"),
        report_device_errors("a frame"),
    ):
        raise RuntimeError(text)


@pytest.mark.fault(71)
@pytest.mark.parametrize(
    "text",
    ["CUDA error: an illegal memory access was encountered\nSearch", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"],
)
def test_a_device_that_was_lost(text: str) -> None:
    with (
        pytest.raises(DeviceError, match="the device was lost at a frame"),
        report_device_errors("a frame"),
    ):
        raise RuntimeError(text)


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"), report_device_errors("a frame"):
        raise RuntimeError("size mismatch")


@pytest.mark.fault(70)
@pytest.mark.parametrize(
    ("capability", "built", "runs"),
    [
        ((6, 1), ["sm_75", "sm_80", "sm_90"], False),
        ((7, 5), ["sm_75", "sm_80"], True),
        ((8, 9), ["sm_75", "sm_80"], True),
        ((8, 0), ["sm_75", "sm_86"], False),
        ((12, 0), ["sm_90", "sm_120"], True),
        ((12, 0), ["sm_80", "compute_90"], True),
        ((9, 0), ["sm_80", "sm_90a"], False),
    ],
)
def test_a_gpu_that_torch_was_not_built_for_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], built: list[str], runs: bool
) -> None:
    monkeypatch.delenv("RFDN_REQUIRE_GPU", raising=False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    for name, value in {
        "is_available": True,
        "device_count": 1,
        "current_device": 0,
        "get_device_capability": capability,
        "get_arch_list": built,
    }.items():
        monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)
    assert resolve_device("auto").type == ("cuda" if runs else "cpu")
    if runs:
        assert resolve_device("cuda:0") == torch.device("cuda:0")
    else:
        with pytest.raises(DeviceError, match="no code for that GPU, only for sm_"):
            resolve_device("cuda")


def test_the_current_gpu_is_the_same_in_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calling thread's is named by its number: another thread's current one would be another."""
    for name, value in {"is_available": True, "device_count": 3, "current_device": 2}.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    monkeypatch.setattr(torch.version, "cuda", None)  # so that it is not asked what it can run
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:2")
    with pytest.raises(DeviceError, match="device cuda:256: there are 3"):  # torch.device makes cuda:0 of it
        resolve_device("cuda:256")


def test_queues_that_are_made_together_leave_the_usual_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, limited, other_made = torch.get_num_threads(), threading.Event(), threading.Event()
    limit = device._limit_threads

    def slowly(count: int) -> None:
        limit(count)
        limited.set()
        other_made.wait(timeout=0.2)  # it must not take this limit for the usual number

    def make_another() -> int:
        limited.wait()
        open_device(torch.device("cpu"), 1).queue()
        other_made.set()
        return torch.get_num_threads()

    monkeypatch.setattr(device, "_limit_threads", slowly)
    with ThreadPoolExecutor(2) as threads:
        threads.submit(open_device(torch.device("cpu"), 1).queue)
        assert threads.submit(make_another).result() == usual
