"""How a model would be loaded now, without loading it: what Auto comes to, for forms and pages."""

from __future__ import annotations

from dataclasses import replace

from app.core.errors import AppError
from app.core.fit import Machine
from app.core.hardware import Forecast
from app.core.options import Loading
from app.engine.adapters import size_bytes
from app.engine.auto import context_for_gpus
from app.engine.model_file import ModelFile, inspect
from app.engine.plan import needs_of, plan, wish_for


def forecast(path: str, loading: Loading, machine: Machine) -> Forecast:
    """What loading this file would come to; reads its header, for a worker. Trouble is told within the answer."""
    try:
        file = inspect(path)
    except AppError as error:
        return Forecast(trouble=str(error))
    return forecast_of(file, loading, machine.without(size_bytes(loading.adapters)))


def forecast_of(file: ModelFile, loading: Loading, machine: Machine) -> Forecast:
    """The same from a header that is known."""
    known = Forecast(n_layers=file.n_layers, n_ctx_train=file.n_ctx_train, needs=needs_of(file, loading))
    try:
        how = plan(file, loading, machine)
    except AppError as error:
        return replace(known, trouble=str(error))
    whole = how.gpu_layers < 0
    in_force = replace(loading, kv_type=how.type_k, batch_tokens=how.batch_tokens)
    return replace(
        known,
        n_ctx=how.n_ctx,
        gpu_layers=file.n_layers + 1 if whole else how.gpu_layers,
        threads=how.threads,
        batch_tokens=how.batch_tokens,
        kv_type=how.type_k,
        mmap=how.mmap,
        needs=needs_of(file, in_force),
        whole_context=0 if whole else context_for_gpus(wish_for(file, loading, machine)),
        why_cpu=how.why_cpu,
    )
