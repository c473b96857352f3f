"""An organisation's configuration as a folder of YAML. `sample/` is one to begin with."""
