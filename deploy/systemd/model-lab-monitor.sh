#!/bin/sh
# The command by hand, as the service's user, with the service's configuration and store.
# Install as /usr/local/bin/model-lab-monitor; whoever may use sudo may use it.
exec sudo -u model-lab-monitor env \
  MODEL_LAB_MONITOR_CONFIG=/etc/model-lab-monitor/model-lab-monitor.toml \
  MODEL_LAB_MONITOR_STATE_DIR=/var/lib/model-lab-monitor \
  /opt/model-lab-monitor/current/bin/model-lab-monitor "$@"
