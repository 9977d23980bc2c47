import os

# torch looks once, when a process first multiplies matrices on a GPU; without it nothing there could repeat itself
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
