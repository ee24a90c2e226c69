import { isSoftware } from '../kernels/variants.ts';
import { DeviceError } from './errors.ts';

/** What the app and the command line say about the device. */
export interface DeviceDescription {
  /** As the driver calls itself. */
  readonly name: string;
  /** True for a CPU that plays GPU. */
  readonly software: boolean;
}

export interface RequestedDevice {
  readonly device: GPUDevice;
  readonly adapter: GPUAdapter;
  readonly description: DeviceDescription;
}

/** The limits that a large slice runs into first: taken as large as the adapter gives. */
const WANTED_LIMITS = ['maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage'] as const;

/** Taken where the adapter has them. */
const WANTED_FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'] as const;

/**
 * A device with the adapter's own limits.
 *
 * @throws DeviceError where there is no adapter or the device is refused
 */
export async function requestDevice(gpu: GPU | undefined): Promise<RequestedDevice> {
  if (!gpu) throw new DeviceError('device: this browser has no WebGPU; use a current Chrome, Edge, Firefox or Safari');
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new DeviceError('device: WebGPU is there but gives no adapter; update the graphics driver or try another browser');
  }
  const requiredFeatures = WANTED_FEATURES.filter((feature) => adapter.features.has(feature));
  const requiredLimits = Object.fromEntries(WANTED_LIMITS.map((limit) => [limit, adapter.limits[limit]]));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new DeviceError('device: the adapter refused a device; close other GPU programs and try again', { cause });
  }
  return { device, adapter, description: describe(adapter.info) };
}

function describe(info: GPUAdapterInfo): DeviceDescription {
  const { vendor, architecture, device, description } = info;
  const name = description || device || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  return { name: name.replace(/\s+/g, ' ').trim(), software: isSoftware(info) };
}
