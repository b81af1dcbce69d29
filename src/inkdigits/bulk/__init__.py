"""Millions of pictures come in, Parquet comes out, resumable at any moment; everything in here needs the extra `bulk`.

walking ─ files ─▶ archives ─ items ─▶ plan: shards of so many files, written before the first is read
engine (local | on_ray) ─ shard ─▶ shard.read_shard ─ item ─▶ desk: a process that reads ─ rows ─▶ rows: one Parquet file a shard
"""
