# Only for who asks for it: a layer must not change a kernel by being there.
require ${@bb.utils.contains('DISTRO_FEATURES', 'firstlight', '${BPN}_firstlight.inc', '', d)}
