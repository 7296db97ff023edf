#include "CTracer.h"
